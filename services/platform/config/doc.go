// Package config loads the settings of a process from defaults, a YAML file,
// environment variables and flags.
//
// Precedence: flag > environment > file > default. The later source replaces the
// whole value of a key, also for lists and maps.
//
// Each package that has settings declares one struct:
//
//	type Config struct {
//		Addr    string        `koanf:"addr" doc:"Address to listen on, host:port."`
//		Timeout time.Duration `koanf:"timeout" doc:"Longest time for one request."`
//		Token   config.Secret `koanf:"token" doc:"Bearer token of the client."`
//	}
//
//	func DefaultConfig() Config { ... }
//
//	func (c Config) Validate() error {
//		if c.Timeout <= 0 {
//			return config.Invalid("timeout", c.Timeout, "set a duration above 0, such as 5s")
//		}
//		return nil
//	}
//
// A process nests these structs in one of its own. Nested names join with dots:
// a field server of this type has the keys server.addr, server.timeout and
// server.token. Load calls Validate of every nested struct by itself, deepest
// first; a parent checks only what concerns several of its children. Validate
// names keys relative to its own struct. Several findings join with errors.Join.
//
// A key server.addr is read from
//
//   - the flag named server.addr, or one that Options.FlagKeys maps to it;
//   - TRUNKLINE_SERVER_ADDR;
//   - the file named by TRUNKLINE_SERVER_ADDR_FILE, without its trailing newline,
//     at most 64 KiB;
//   - the YAML file, as addr below server;
//   - the defaults.
//
// Rules for fields: every exported field has a koanf tag ("-" leaves it out) and
// every key a doc tag. Values may be strings, booleans, integers, floats,
// time.Duration, types with UnmarshalText, lists of these, and maps from string
// to these. In flags and environment a list is "a,b" and a map is "k=v,l=w".
// Conversion is strict: a YAML number does not become a string (01 would become
// 1), a duration needs a unit, and nothing is truncated.
//
// Values of type Secret, and lists and maps of them, never appear in errors,
// Setting values or the reference page. User and password of an address do not
// either, whatever the type of its setting.
//
// Snapshot and Watch are for processes that take up changes while they run.
package config
