// Package discover is left out.
package discover

import (
	"errors"
	"log"
)

type (
	Provider any
	Discover struct{}
	Option   func()
)

var Providers map[string]Provider

func New(...Option) (*Discover, error) { return &Discover{}, nil }

func WithProviders(map[string]Provider) Option { return nil }

func (*Discover) Addrs(string, *log.Logger) ([]string, error) { return nil, errors.New("left out") }
