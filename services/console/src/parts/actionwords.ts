/** What the audit log calls things, in words: what was done, in the past. */
const words: Readonly<Record<string, string>> = {
  "access.denied": "Call refused",
  "account.create": "Account created",
  "account.delete": "Account deleted",
  "account.update": "Account changed",
  "api_key.create": "API key created",
  "api_key.revoke": "API key revoked",
  "api_key.rotate": "API key rotated",
  "credentials.read": "Credentials read",
  "credentials.rotate": "Credentials rotated",
  "decisions.erase": "Decisions erased",
  "decisions.search": "Decisions searched",
  "fx.set": "Exchange rates set",
  "operator.activate": "Operator activated",
  "operator.create": "Operator created",
  "operator.deactivate": "Operator deactivated",
  "operator.delete": "Operator deleted",
  "operator.import": "Operators imported",
  "operator.suspend": "Operator suspended",
  "operator.update": "Operator changed",
  "rates.import": "Rates imported",
  "release.approve": "Release approved",
  "release.create": "Release created",
  "release.publish": "Release published",
  "release.rollback": "Release rolled back",
  "rule.create": "Rule created",
  "rule.delete": "Rule deleted",
  "rule.import": "Rules imported",
  "rule.update": "Rule changed",
};

/** The words for the action of an audit row. An action of a newer server is read out as it is named: "sim_card.lock_all" is "Sim card lock all". */
export function actionWords(action: string): string {
  const known = Object.hasOwn(words, action) ? words[action] : undefined;
  if (known !== undefined) return known;
  const read = action.replace(/[._]+/g, " ").trim();
  return read.charAt(0).toUpperCase() + read.slice(1);
}

/** All actions that have words, by name. */
export const knownActions: readonly string[] = Object.keys(words);
