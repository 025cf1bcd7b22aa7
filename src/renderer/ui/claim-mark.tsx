import { type Claim, claimWords } from '../../shared/verdicts/claims.ts';
import { classNames } from './class-names.ts';

/** How certain it is that a keep is a gain. */
export function ClaimMark({ claim }: { readonly claim: Claim }) {
  return (
    <span
      title={
        claim.isProven
          ? 'At least 95 % sure to be better than its parent'
          : 'It may be luck: the same code gives different numbers from run to run'
      }
      className={classNames('font-medium', claim.isProven ? 'text-keep' : 'text-warn')}
    >
      {claimWords(claim)}
    </span>
  );
}
