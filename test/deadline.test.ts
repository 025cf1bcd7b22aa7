import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseDeadline } from '../src/cli/deadline.ts';

const zone = process.env.TZ;
const inZone = (name: string) => {
  beforeEach(() => {
    process.env.TZ = name;
  });
  afterEach(() => {
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
  });
};

/** What a clock time asked at a moment comes to; moments are in UTC. */
const asked = (clock: string, now: string) => parseDeadline(clock, new Date(now)).toISOString();

describe('a clock time is the next moment at which the clock shows it', () => {
  inZone('Europe/Berlin');

  test('today, or tomorrow where it has passed or is just now', () => {
    expect(asked('07:30', '2026-01-10T06:29:59.999Z')).toBe('2026-01-10T06:30:00.000Z');
    expect(asked('7:30', '2026-01-10T06:30:00.000Z')).toBe('2026-01-11T06:30:00.000Z');
    expect(asked('00:00', '2026-12-31T12:00:00Z')).toBe('2026-12-31T23:00:00.000Z');
  });

  test('in the hour that autumn repeats, the one that is still to come', () => {
    expect(asked('02:30', '2026-10-24T23:00:00Z')).toBe('2026-10-25T00:30:00.000Z');
    expect(asked('02:30', '2026-10-25T00:45:00Z')).toBe('2026-10-25T01:30:00.000Z');
    expect(asked('02:30', '2026-10-25T01:45:00Z')).toBe('2026-10-26T01:30:00.000Z');
  });

  test('in the hour that spring leaves out, the first moment after it', () => {
    expect(asked('02:30', '2026-03-29T00:00:00Z')).toBe('2026-03-29T01:00:00.000Z');
    expect(asked('02:30', '2026-03-29T01:00:00Z')).toBe('2026-03-30T00:30:00.000Z');
    expect(asked('03:00', '2026-03-29T00:00:00Z')).toBe('2026-03-29T01:00:00.000Z');
    expect(asked('01:59', '2026-03-29T00:00:00Z')).toBe('2026-03-29T00:59:00.000Z');
  });
});

describe('west of Greenwich', () => {
  inZone('America/New_York');

  test('the repeated hour comes twice and the one left out ends at once', () => {
    expect(asked('01:30', '2026-11-01T05:45:00Z')).toBe('2026-11-01T06:30:00.000Z');
    expect(asked('01:30', '2026-11-01T06:45:00Z')).toBe('2026-11-02T06:30:00.000Z');
    expect(asked('02:30', '2026-03-08T06:00:00Z')).toBe('2026-03-08T07:00:00.000Z');
  });
});

describe('where the clock moves by half an hour', () => {
  inZone('Australia/Lord_Howe');

  test('the repeated half hour comes twice and the one left out ends at once', () => {
    expect(asked('01:45', '2026-04-04T14:50:00Z')).toBe('2026-04-04T15:15:00.000Z');
    expect(asked('01:15', '2026-04-04T14:50:00Z')).toBe('2026-04-05T14:45:00.000Z');
    expect(asked('02:15', '2026-10-03T14:00:00Z')).toBe('2026-10-03T15:30:00.000Z');
  });
});

describe('where the clock moves at midnight', () => {
  inZone('Africa/Cairo');

  test('a time that the day does not have is the first moment of that day', () => {
    expect(asked('00:30', '2026-04-23T20:00:00Z')).toBe('2026-04-23T22:00:00.000Z');
  });
});
