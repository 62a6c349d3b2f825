import { Role } from "@gen/options/v1/access_pb";

/** What a role is for, in a sentence. The table of calls comes from the schema itself. */
export const roleTexts: Readonly<Record<Role, string>> = {
  [Role.UNSPECIFIED]: "May do nothing.",
  [Role.VIEWER]: "Reads everything but keys and the audit log, and asks for routes.",
  [Role.OPERATOR]: "Also changes operators, rules and rates.",
  [Role.ADMIN]: "Also changes accounts, keys and releases, and reads the audit log.",
};

/** The same of a credential that is bound to one account. */
export const boundTexts: Readonly<Record<Role, string>> = {
  [Role.UNSPECIFIED]: "May do nothing.",
  [Role.VIEWER]: "Reads the account and its rules and the global ones, and asks for routes.",
  [Role.OPERATOR]: "Also changes rules of the account.",
  [Role.ADMIN]: "Also makes and revokes keys of the account.",
};
