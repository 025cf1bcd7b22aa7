/** The app's logo: the teeth of a ratchet wheel and the pawl that holds them. */
export function PawlMark({ className }: { readonly className?: string }) {
  return (
    <svg
      viewBox="0 0 24 24"
      className={className}
      fill="none"
      stroke="currentColor"
      strokeWidth="2"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d="M3 20 7 12v8l4-8v8l4-8v8l4-8v8" />
      <path d="M20 3 12.5 7.5" />
      <circle cx="20.5" cy="3.5" r="1.2" fill="currentColor" />
    </svg>
  );
}
