package release

import "google.golang.org/protobuf/encoding/protowire"

// progress is how far the rows of one kind are read.
type progress struct {
	seen     int64 // in the parts so far
	at, rows int   // in the part at hand
}

// rows decodes the parts of one kind.
type rows interface {
	load(body []byte) error
	step() error
}

// next puts the next row of a kind in place, or tells that there is none.
func (r *Reader) next(p *progress, of rows, kind protowire.Number, total int64, what string) (bool, error) {
	for p.at == p.rows {
		if p.rows > 0 { // the part at hand has been read
			p.at, p.rows = 0, 0
			if err := r.advance(); err != nil {
				return false, r.fail(err)
			}
		}
		if r.kind != kind {
			if p.seen != total {
				return false, r.fail(layout("%d %s instead of %d", p.seen, what, total))
			}
			return false, nil
		}
		if err := of.load(r.body); err != nil {
			return false, r.fail(err)
		}
		if p.seen += int64(p.rows); p.seen > total {
			return false, r.fail(layout("more than %d %s", total, what))
		}
	}
	if err := of.step(); err != nil {
		return false, r.fail(err)
	}
	return true, nil
}
