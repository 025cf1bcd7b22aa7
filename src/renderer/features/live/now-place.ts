/** Of the panel beside the notebook; it has this place also while its code is loading. */
export const NOW_PLACE =
  'hidden w-80 shrink-0 flex-col overflow-y-auto border-line border-l bg-surface min-[1180px]:flex';
