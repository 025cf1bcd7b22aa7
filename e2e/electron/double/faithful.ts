import type { EventEmitter } from 'node:events';

/**
 * Holds a part of the double to Electron's own declarations at compile time: it may lack members (using one throws at
 * run time), but each it has must exist in Electron, with a type that can stand for the original.
 */

/** What Electron declares besides events, which `StrictEmitter` holds to the declarations. */
export type PartOf<Real> = Partial<Omit<Real, keyof EventEmitter>>;

type Members<Double> = Exclude<keyof Double, keyof EventEmitter>;

/** `true` where `Double` could stand for `Real`; else says which members are invented or have another type. */
export type Faithful<Double, Real> =
  Exclude<Members<Double>, keyof Real> extends never
    ? Pick<Double, Members<Double>> extends Pick<Real, Members<Double> & keyof Real>
      ? true
      : { 'has another type': Differing<Double, Real> }
    : { 'is invented': Exclude<Members<Double>, keyof Real> };

type Differing<Double, Real> = {
  [Key in Members<Double> & keyof Real]: Double[Key] extends Real[Key] ? never : Key;
}[Members<Double> & keyof Real];

/** Compiles only where the type argument is `true`. */
export function hold<_Check extends true>(): void {}
