/** The kinds of notifications, here or elsewhere. */
export const NOTICES = [
  { kind: 'new_best', label: 'A new best', hint: 'Shows the old and the new value.' },
  { kind: 'study_ended', label: 'A study has ended', hint: 'With the reason.' },
  { kind: 'crashes', label: 'Several crashes in a row', hint: undefined },
  {
    kind: 'attention',
    label: 'Something needs attention',
    hint: 'A full disk, a moved branch, a failing proposer.',
  },
] as const;
