/** The product's sign. */
export function Mark({ size = 28 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="9" fill="var(--mantine-primary-color-filled)" />
      <g stroke="var(--mantine-primary-color-contrast)" strokeWidth="2.6" strokeLinecap="round">
        <path d="M8 14v4M12.500 10.500v11M17 7.500v17M21.500 11.500v9M25.500 14.500v3" />
      </g>
    </svg>
  );
}
