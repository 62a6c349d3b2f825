// Package demo holds the data that a fresh development process starts with:
// fictional operators and routing rules for the calling codes of the world. The
// files are in the format of package operators and can be imported anywhere.
//
// Prices, hosts and names are invented. Hosts end in names that are reserved for
// examples and reach nobody. Calling codes are those of ITU-T E.164; areas that
// share one have rules for their own number ranges.
package demo

import _ "embed"

// AccountID is the account that owns the account rules of Rules.
const AccountID = "00000000-0000-0000-0000-000000000001"

// Operators is the file of operators. One of them is suspended and one only
// receives, so that explanations have something to show. Read it, never write.
//
//go:embed operators.csv
var Operators []byte

// Rules is the file of rules. Every rule leaves at least one operator when any
// single one is out of service. Read it, never write.
//
//go:embed rules.csv
var Rules []byte
