package cli

import (
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress is a bar on a terminal and nothing elsewhere.
type progress struct {
	w           io.Writer
	bar         *progressbar.ProgressBar
	title       string
	phases      []string
	phase       int
	done, total int64
}

// newProgress starts a bar. A total of -1 is not known. Work in phases, such as reading and storing, has a title for
// each; the first one stands until there is news.
func newProgress(w io.Writer, title string, total int64, phases ...string) *progress {
	f, isFile := w.(*os.File)
	if !isFile || !term.IsTerminal(int(f.Fd())) {
		return &progress{}
	}
	return startProgress(w, title, total, phases...)
}

func startProgress(w io.Writer, title string, total int64, phases ...string) *progress {
	return &progress{w: w, bar: newBar(w, title, total), title: title, phases: phases, total: total}
}

func newBar(w io.Writer, title string, total int64) *progressbar.ProgressBar {
	return progressbar.NewOptions64(total,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetDescription(title),
		progressbar.OptionShowCount(),
		progressbar.OptionSetWidth(30),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish(),
	)
}

// set moves the bar. What cannot be drawn is not worth failing for.
func (p *progress) set(done, total int64) {
	if p.bar == nil {
		return
	}
	if total > 0 && total != p.total || done < p.done {
		p.turn(done, total)
	}
	p.done = done
	_ = p.bar.Set64(done)
}

// turn begins a new bar, because one that was full once draws no more: for the next phase, and when a total that was
// guessed grows with what is done.
func (p *progress) turn(done, total int64) {
	p.total = total
	grows := p.phase > 0 && done == total && done >= p.done
	if !grows && p.phase < len(p.phases) {
		p.title = p.phases[p.phase]
		p.phase++
	}
	_ = p.bar.Finish()
	p.bar = newBar(p.w, p.title, total)
	_ = p.bar.RenderBlank()
}

// close takes the bar away. It may be called again.
func (p *progress) close() {
	if p.bar != nil {
		_ = p.bar.Finish()
		p.bar = nil
	}
}
