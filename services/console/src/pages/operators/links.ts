import { withParams } from "../../parts/params";

/** The explorer with a number in the fragment, which is never sent; as an account, and as if an operator were gone. */
export function explorePath(number: string, { account, exclude }: { readonly account?: string; readonly exclude?: string } = {}): string {
  return `${withParams("/explore", { account, exclude })}#${number}`;
}

export function rulePath(ruleId: string): string {
  return withParams("/rules", { rule: ruleId });
}

export function operatorPath(operatorId: string, params: Readonly<Record<string, string>> = {}): string {
  return withParams(`/operators/${operatorId}`, params);
}
