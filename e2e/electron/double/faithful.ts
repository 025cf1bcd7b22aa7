import type { EventEmitter } from 'node:events';

/**
 * Checks a part of the double against Electron's own declarations at compile time. The part may lack members (using one
 * throws at run time), but each member it has must exist in Electron, with a type that can replace the original.
 */

/** The members that Electron declares, without its events: `StrictEmitter` checks those. */
export type PartOf<Real> = Partial<Omit<Real, keyof EventEmitter>>;

type Members<Double> = Exclude<keyof Double, keyof EventEmitter>;

/** `true` if `Double` can replace `Real`; otherwise names the members that are invented or have another type. */
export type Faithful<Double, Real> =
  Exclude<Members<Double>, keyof Real> extends never
    ? Pick<Double, Members<Double>> extends Pick<Real, Members<Double> & keyof Real>
      ? true
      : { 'has another type': Differing<Double, Real> }
    : { 'is invented': Exclude<Members<Double>, keyof Real> };

type Differing<Double, Real> = {
  [Key in Members<Double> & keyof Real]: Double[Key] extends Real[Key] ? never : Key;
}[Members<Double> & keyof Real];

/** Compiles only if the type argument is `true`. */
export function hold<_Check extends true>(): void {}
