/** The address to open in the user's browser; null for anything but a plain `https:` address. */
export function externalAddress(text: string): string | null {
  const url = URL.parse(text);
  if (url?.protocol !== 'https:' || url.username !== '' || url.password !== '') return null;
  return url.href;
}
