// Package secrets keeps secret texts by path and version, in Vault or in an encrypted file.
//
// # Versions
//
// Put never changes a version: it makes the next one, counted from 1 per path. Which version is in force is written
// elsewhere, usually in a database row. So a change takes two steps that cannot be one transaction, and the order makes
// it safe: Put the new version, then commit the row that names it. When the commit fails, the former version is still
// the one named; Drop the new one. Where the Drop fails as well, or the process dies between the steps, what is left
// over is a version newer than the row's, or a path that no row names. List shows both with their age, so that a
// reconciler can Drop and Remove them once they are too old to belong to a change under way.
//
// What must hold, in both implementations:
//   - Get gives the very version asked for or SECRET_NOT_FOUND, never another one.
//   - A number is used once: no Put after a Drop gets it again. Only Remove starts a path anew.
//   - The ten newest versions of a path that were not dropped stay, however many were put and dropped since.
//   - No value appears in an error, a log line or a setting. What a server answers is not repeated either: it could
//     hold what it was sent.
//
// A Put that failed may have made its version all the same, when only the answer was lost.
//
// # Vault's token
//
//	no token --log in--> valid --half of its life--> renewed, or a new log-in where it cannot be renewed
//	   ^                   |
//	   +--refused (403)----+
//
// Vault.Run keeps the token alive. Calls do not depend on it: one that meets a refusal asks Vault whether the token
// still lives. If not, it logs in and is made once more; if so, the policy forbids the call and no log-in would help.
package secrets
