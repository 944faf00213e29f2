/** The end of a switch over a union: a new member that is not handled is a type error here, and a loud one at run time. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
