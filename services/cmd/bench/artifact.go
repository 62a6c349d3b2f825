package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/google/uuid"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/platform/release"
	"trunkline/services/routing"
	"trunkline/services/routing/releases"
)

// artifact is a compiled rule set in a file, as an engine keeps it in its folder.
type artifact struct {
	release.Sealed
	id   uuid.UUID
	file string
}

// artifact compiles the set into a new file below dir.
func (c *carrier) artifact(dir string) (a artifact, err error) {
	f, err := os.CreateTemp(dir, "artifact-")
	if err != nil {
		return artifact{}, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	a = artifact{id: uuid.New(), file: filepath.Clean(f.Name())}
	w := bufio.NewWriter(f)
	if a.Sealed, err = release.Compile(w, c.content()); err != nil {
		return artifact{}, err
	}
	return a, w.Flush()
}

// table builds what an engine in release mode decides by, the way it does: from the file, checked as it is read.
func (a artifact) table(ctx context.Context, health *routing.HealthView) (*routing.Table, error) {
	f, err := os.Open(a.file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	return releases.Build(ctx, f, a.Digest, a.Size, health)
}

// ID implements release.Source.
func (a artifact) ID() uuid.UUID { return a.id }

// Open implements release.Source.
func (a artifact) Open(context.Context) (*release.Reader, io.Closer, error) {
	f, err := os.Open(a.file)
	if err != nil {
		return nil, nil, err
	}
	r, err := release.NewReader(f, a.Digest, a.Size)
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return r, f, nil
}

// content is the set as the control plane compiles it.
func (c *carrier) content() *release.Content {
	content := &release.Content{Rules: make([]release.Rule, 0, len(c.prefixes)), Rates: make([]release.Rate, 0, len(c.rates))}
	for _, o := range c.operators {
		content.Operators = append(content.Operators, release.Operator{
			ID: o.ID, Name: o.Name, Host: o.Host, Port: o.Port, SystemID: o.SystemID, MaxTPS: o.TPSLimit, Types: release.SMS, Status: release.Active,
		})
	}
	var list [candidates]routing.Candidate
	all := make([]release.Candidate, 0, candidates*len(c.prefixes))
	for i := range c.prefixes {
		r := c.rule(i, &list)
		for _, one := range list {
			all = append(all, release.Candidate(one))
		}
		content.Rules = append(content.Rules, release.Rule{
			ID: madeID("rule", i), Account: r.Account, Prefix: r.Prefix, Types: release.AllTypes,
			Strategy: routingv1.RoutingStrategy_ROUTING_STRATEGY_COST, Candidates: all[len(all)-candidates:],
		})
	}
	for i, r := range c.rates {
		content.Rates = append(content.Rates, release.Rate{
			ID: madeID("rate", i), Operator: r.Operator, Prefix: r.Prefix,
			Type: routingv1.MessageType_MESSAGE_TYPE_SMS, Price: r.Price,
		})
	}
	return content
}

// madeID gives an id that compresses as badly as real ones.
func madeID(kind string, i int) uuid.UUID {
	return uuid.NewSHA1(uuid.NameSpaceOID, fmt.Appendf(nil, "%s %d", kind, i))
}

// healthy is a view in which every operator is up.
func (c *carrier) healthy() *routing.HealthView {
	view := routing.NewHealthView()
	for _, o := range c.operators {
		view.Know([]uuid.UUID{o.ID})
		view.Apply(routing.HealthEvent{Operator: o.ID, Bind: routing.Bound, Quality: routing.Healthy, ObservedAt: decideTime})
	}
	return view
}
