// Package operators is the control plane's domain: operators, the routing rules
// that name them, and the CSV files both are imported from and exported to.
//
// # CSV format
//
// Files are UTF-8 with or without a byte order mark, comma-separated, quoted as
// in RFC 4180, with LF or CRLF line ends. The header is required; the columns may
// come in any order, and all of them must be there. Nothing is trimmed. Empty
// lines, and lines of commas only, are skipped. A file has at most 64 MiB and
// 2,000,000 lines, a field at most 1,024 bytes.
//
// Operators: name,host,port,system_id,bind_type,max_tps,message_types,status. An
// empty message_types means SMS. An empty status means INACTIVE for a new
// operator and no change for a known one, so that a file without statuses does
// not take carriers out of service.
//
// Rules: account,prefix,country,message_types,strategy,on_exhausted,operator,
// priority,weight,price,currency. Each line is one candidate. Lines with equal
// account, prefix and message_types make one rule; they need not be adjacent and
// must agree on country, strategy and on_exhausted. An empty account is a global
// rule, empty message_types are all types, an empty on_exhausted is FAIL, an
// empty priority 1, an empty weight 100. operator is a name or a UUID. price is
// an exact decimal; price and currency are both given or both empty.
//
// Several message types stand in one field and are separated by | or ;. Exports
// write |.
//
// Spreadsheets run a cell that starts with = + - @ as a formula. In the free-text
// columns name, system_id and operator, exports therefore put an apostrophe
// before such a text, and imports take it away again. The column prefix starts
// with + by contract and is left alone: it holds nothing but digits after it.
//
// # Import
//
// An import reads the whole file, collects every bad line, and stores all or
// nothing in one transaction. Operators are matched by name, rules by account,
// prefix and message types; what the file does not name stays as it is, and so does
// what files do not speak of, such as a rule's validity or an operator's backup.
// A file may make an operator ACTIVE that has no password, as when it comes from
// another system; the import warns of it. The configuration's version rises only
// when something changed.
//
// # Changes
//
// Every change is one transaction: the rows, one audit row, the events in the outbox
// and, for a request with an id, the reply that a repeat gets. Changes run one after
// the other. What changes nothing, such as the status that an operator has already,
// writes no audit row and no event.
//
// # Passwords
//
// A password lies in the secret store as one version of its operator, and the row
// names the version in force. The two cannot be written at once, so the order is:
//
//	check -> store the password -> commit the row that names it
//	                |                     |
//	                | fails               | fails: take the password away again
//	                v                     | unknown: read the row, and take it away only if the row does not name it
//	         nothing changed              v process gone: Orphans finds it, once it is 15 minutes old
//	                               the former password is still in force
//
// So a row never names a password that was not stored, and a password that no row
// names has no effect.
package operators
