/** The address to hand to the user's browser, or null for what must not leave: all but plain `https:` addresses. */
export function externalAddress(text: string): string | null {
  const url = URL.parse(text);
  if (url?.protocol !== 'https:' || url.username !== '' || url.password !== '') return null;
  return url.href;
}
