/**
 * What can go wrong on a bus, to order. A rule says which answers it spoils and how; rules are used up or stand. Knows bytes
 * and ids; refuses to know why anybody would want this.
 */

export type AnswerFault =
  | { readonly kind: 'drop' }
  /** One byte of the answer is changed. */
  | { readonly kind: 'corrupt' }
  | { readonly kind: 'delay'; readonly ms: number }
  | { readonly kind: 'duplicate' }
  | { readonly kind: 'wrong-id'; readonly id: number }
  | { readonly kind: 'noise'; readonly bytes: ArrayLike<number> }
  /** Only the first bytes arrive. */
  | { readonly kind: 'cut'; readonly bytes: number };

export interface FaultRule {
  readonly fault: AnswerFault;
  /** Whose answers; null for everybody's. */
  readonly id: number | null;
  /** How many answers it spoils; Infinity until it is cleared. */
  readonly times: number;
}

export interface SpoiltAnswer {
  readonly bytes: Uint8Array;
  readonly delayMs: number;
}

export interface Faults {
  add(rule: FaultRule): void;
  clear(): void;
  /** The answer as it arrives; null when it does not. */
  spoil(id: number, answer: Uint8Array): SpoiltAnswer | null;
}

export function createFaults(): Faults {
  let rules: { readonly rule: FaultRule; left: number }[] = [];
  return {
    add(rule) {
      rules.push({ rule, left: rule.times });
    },
    clear() {
      rules = [];
    },
    spoil(id, answer) {
      let bytes = answer;
      let delayMs = 0;
      let arrives = true;
      for (const entry of rules) {
        if (entry.left <= 0 || (entry.rule.id !== null && entry.rule.id !== id)) continue;
        entry.left--;
        const { fault } = entry.rule;
        if (fault.kind === 'drop') arrives = false;
        else if (fault.kind === 'delay') delayMs += fault.ms;
        else bytes = changed(bytes, fault);
      }
      rules = rules.filter((entry) => entry.left > 0);
      return arrives ? { bytes, delayMs } : null;
    },
  };
}

function changed(bytes: Uint8Array, fault: Exclude<AnswerFault, { readonly kind: 'drop' | 'delay' }>): Uint8Array {
  switch (fault.kind) {
    case 'corrupt': {
      const copy = bytes.slice();
      const at = copy.length - 2;
      copy[at] = (copy[at] as number) ^ 0x10;
      return copy;
    }
    case 'duplicate':
      return Uint8Array.of(...bytes, ...bytes);
    case 'wrong-id': {
      // The checksum follows the id, so that it is a whole packet of somebody else.
      const copy = bytes.slice();
      const last = copy.length - 1;
      copy[last] = ((copy[last] as number) + (copy[2] as number) - fault.id) & 0xff;
      copy[2] = fault.id;
      return copy;
    }
    case 'noise':
      return Uint8Array.of(...Array.from(fault.bytes), ...bytes);
    case 'cut':
      return bytes.slice(0, fault.bytes);
  }
}
