package main

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/gaissmai/bart"
	iradix "github.com/hashicorp/go-immutable-radix/v2"

	"trunkline/services/platform/e164"
)

// newRadix asks a radix tree of byte strings.
func newRadix(_ context.Context, _ *bench, c *carrier) (*peer, error) {
	before, start := heapLive(), time.Now()
	txn := iradix.New[int32]().Txn()
	for i, prefix := range c.prefixes {
		txn.Insert([]byte(prefix), int32(i))
	}
	root := txn.Commit().Root()
	p := &peer{built: time.Since(start), stop: none}
	p.bytes = heapLive() - before
	var key []byte
	lookup := func(number e164.Number) (int32, bool) {
		key = append(key[:0], number.Digits()...)
		_, rule, ok := root.LongestPrefix(key)
		return rule, ok
	}
	p.ask(c, lookup)
	return p, nil
}

// newBart asks a routing table of IP prefixes: each digit is four bits of an address.
func newBart(_ context.Context, _ *bench, c *carrier) (*peer, error) {
	before, start := heapLive(), time.Now()
	table := &bart.Table[int32]{}
	for i, prefix := range c.prefixes {
		table.Insert(netip.PrefixFrom(nibbles(prefix), 4*len(prefix)), int32(i))
	}
	p := &peer{built: time.Since(start), stop: none}
	p.bytes = heapLive() - before
	p.ask(c, func(number e164.Number) (int32, bool) { return table.Lookup(nibbles(number.Digits())) })
	return p, nil
}

// nibbles writes up to 15 digits into the first bits of an address. The digit after the last is one that none has.
func nibbles(digits string) netip.Addr {
	var address [16]byte
	for i := range digits {
		address[i/2] |= (digits[i] - '0') << (4 * uint(1-i%2))
	}
	return netip.AddrFrom16(address)
}

var errNoRule = errors.New("a number has no rule")

// ask makes the peer answer by a lookup in this process.
func (p *peer) ask(c *carrier, lookup func(number e164.Number) (rule int32, ok bool)) {
	p.find = func(_ context.Context, number e164.Number) (string, error) {
		rule, ok := lookup(number)
		if !ok {
			return "", errNoRule
		}
		return c.prefixes[rule], nil
	}
	p.all = func(_ context.Context, numbers []e164.Number) (int, error) {
		for i := range numbers {
			if _, ok := lookup(numbers[i]); !ok {
				return i, errNoRule
			}
		}
		return len(numbers), nil
	}
}
