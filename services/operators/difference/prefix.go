package difference

import "trunkline/services/platform/e164"

// prefixes counts different prefixes of changed rules and rates. Each come in order, rules first.
type prefixes struct {
	// rules holds those of rules, packed.
	rules []uint64
	// at is the first of rules that is not before the last rate; last is that one's prefix.
	at    int
	last  uint64
	rates int64
}

func (p *prefixes) addRule(prefix e164.Prefix) {
	packed := pack(prefix)
	if n := len(p.rules); n == 0 || p.rules[n-1] != packed {
		p.rules = append(p.rules, packed)
	}
}

func (p *prefixes) addRate(prefix e164.Prefix) {
	packed := pack(prefix)
	if packed == p.last {
		return
	}
	p.last = packed
	for p.at < len(p.rules) && p.rules[p.at] < packed {
		p.at++
	}
	if p.at == len(p.rules) || p.rules[p.at] != packed {
		p.rates++
	}
}

func (p *prefixes) count() int64 { return int64(len(p.rules)) + p.rates }

// pack holds up to 15 digits in 4 bits each, so that numbers have the order of prefixes. It is not 0.
func pack(p e164.Prefix) (packed uint64) {
	shift := 4 * e164.MaxPrefixDigits
	for i := range len(p) {
		shift -= 4
		packed |= uint64(p[i]-'0'+1) << shift
	}
	return packed
}
