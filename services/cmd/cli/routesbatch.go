package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/platform/e164"
)

const (
	// batchMost is the largest chunk; the schema allows 10,000.
	batchMost = 5000
	// batchBytes keeps a chunk below the server's default limit of 1 MiB for a message.
	batchBytes = 900 << 10
	// maxNumberLine is how much of a line is kept: more than any number has.
	maxNumberLine = 64
)

// chunkSize is how many numbers fit into one call.
func chunkSize(base *routingv1.SelectOperatorRequest) int {
	largest := withNumber(base, "+123456789012345")
	const frame = 8 // tag and length of one element
	return max(1, min(batchMost, batchBytes/(proto.Size(largest)+frame)))
}

// numberProblem is the answer for text that the server would refuse, or nil. Such
// text is never sent: it may be no UTF-8 or very long.
func numberProblem(text string) *routingv1.Failure {
	if _, err := e164.Parse(text); err != nil {
		return &routingv1.Failure{
			Code: "invalid_argument", Reason: "VALIDATION_FAILED",
			Message: err.Error() + ": give E.164, such as +447911123456",
		}
	}
	return nil
}

// selectChunk answers every text, in order.
func (c *client) selectChunk(ctx context.Context, base *routingv1.SelectOperatorRequest, numbers []string) ([]*routingv1.BatchResult, error) {
	results := make([]*routingv1.BatchResult, len(numbers))
	req := &routingv1.BatchSelectOperatorsRequest{}
	var asked []int
	for i, number := range numbers {
		if bad := numberProblem(number); bad != nil {
			results[i] = &routingv1.BatchResult{Result: &routingv1.BatchResult_Error{Error: bad}}
			continue
		}
		req.Requests = append(req.Requests, withNumber(base, number))
		asked = append(asked, i)
	}
	if len(asked) == 0 {
		return results, nil
	}
	callCtx, cancel := c.call(ctx)
	defer cancel()
	answer, err := c.routing.BatchSelectOperators(callCtx, req)
	if err != nil {
		return nil, c.describe(ctx, "select operators", err)
	}
	if got := len(answer.GetResults()); got != len(asked) {
		return nil, failf(ExitFailed, "select operators: the server gave %d answers to %d questions", got, len(asked))
	}
	for i, r := range answer.GetResults() {
		if r.GetResponse() == nil && r.GetError() == nil {
			return nil, failf(ExitFailed, "select operators: the server gave an empty answer")
		}
		results[asked[i]] = r
	}
	return results, nil
}

// selectMany answers the numbers of the command line. Its failure is that of the
// first number without an operator.
func (c *client) selectMany(ctx context.Context, cmd *cobra.Command, base *routingv1.SelectOperatorRequest, numbers []string, form string) error {
	out := newAnswerWriter(cmd.OutOrStdout(), form)
	exit := ExitOK
	for size := chunkSize(base); len(numbers) > 0; {
		chunk := numbers[:min(size, len(numbers))]
		numbers = numbers[len(chunk):]
		results, err := c.selectChunk(ctx, base, chunk)
		if err != nil {
			return err
		}
		for _, r := range results {
			if e := r.GetError(); e != nil && exit == ExitOK {
				exit = codeByName(e.GetCode())
			}
		}
		if err := out.write(chunk, results); err != nil {
			return err
		}
	}
	if err := out.end(); err != nil {
		return err
	}
	return said(exit)
}

func (c *client) selectFile(ctx context.Context, cmd *cobra.Command, base *routingv1.SelectOperatorRequest, name, form string) error {
	f, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("read numbers: %w", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	size := int64(-1)
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		size = info.Size()
	}
	return c.selectLines(ctx, cmd, base, f, size, form)
}

// numberChunk is a piece of the input.
type numberChunk struct {
	numbers []string
	bytes   int64
	err     error
}

// selectLines answers every line of r, which has size bytes, or -1 when that is
// not known. It holds two chunks at most.
func (c *client) selectLines(ctx context.Context, cmd *cobra.Command, base *routingv1.SelectOperatorRequest, r io.Reader, size int64, form string) error {
	chunks := readNumbers(ctx, r, chunkSize(base))
	buffered := bufio.NewWriterSize(cmd.OutOrStdout(), 64<<10)
	out := newAnswerWriter(buffered, form)
	bar := newProgress(cmd.ErrOrStderr(), "bytes of numbers answered", size)
	defer bar.close()
	var lines, failed, read int64
	stopped := func(err error) error {
		err = errors.Join(err, buffered.Flush())
		bar.close()
		if exitCode(err) != ExitPipe && lines > 0 {
			_ = printf(cmd.ErrOrStderr(), "stopped: only the first %s answered\n", plural(lines, "line was", "lines were"))
		}
		return err
	}
	for {
		var chunk numberChunk
		var more bool
		select {
		case chunk, more = <-chunks:
		case <-ctx.Done():
			return stopped(&failure{exit: ExitInterrupted, message: "select operators: interrupted", cause: ctx.Err()})
		}
		if !more {
			break
		}
		results, err := c.selectChunk(ctx, base, chunk.numbers)
		if err != nil {
			return stopped(err)
		}
		for _, result := range results {
			if result.GetError() != nil {
				failed++
			}
		}
		if err := errors.Join(out.write(chunk.numbers, results), buffered.Flush()); err != nil {
			return stopped(err)
		}
		lines += int64(len(results))
		read += chunk.bytes
		bar.set(read, size)
		if chunk.err != nil {
			return stopped(fmt.Errorf("read numbers: %w", chunk.err))
		}
	}
	if err := errors.Join(out.end(), buffered.Flush()); err != nil {
		return stopped(err)
	}
	bar.close()
	_ = printf(cmd.ErrOrStderr(), "%s answered: %d with an operator, %d with an error\n", plural(lines, "line", "lines"), lines-failed, failed)
	return nil
}

// readNumbers reads ahead by one chunk. A reader that waits for a terminal does not
// keep an interrupted command from ending.
func readNumbers(ctx context.Context, r io.Reader, size int) <-chan numberChunk {
	chunks := make(chan numberChunk)
	go func() {
		defer close(chunks)
		in := &numberReader{in: bufio.NewReaderSize(r, 64<<10)}
		for {
			chunk := in.chunk(size)
			last := chunk.err != nil
			if errors.Is(chunk.err, io.EOF) {
				chunk.err = nil
			}
			if len(chunk.numbers) == 0 && chunk.err == nil {
				return
			}
			select {
			case chunks <- chunk:
			case <-ctx.Done():
				return
			}
			if last {
				return
			}
		}
	}()
	return chunks
}

// numberReader reads lines of any length and keeps the beginning of each.
type numberReader struct {
	in    *bufio.Reader
	later bool
}

// chunk reads at most size lines. Its err is io.EOF at the end.
func (n *numberReader) chunk(size int) (c numberChunk) {
	c.numbers = make([]string, 0, size)
	for len(c.numbers) < size && c.err == nil {
		var line []byte
		whole := false
		for !whole && c.err == nil {
			var piece []byte
			piece, c.err = n.in.ReadSlice('\n')
			c.bytes += int64(len(piece))
			if errors.Is(c.err, bufio.ErrBufferFull) {
				c.err = nil
			}
			if whole = bytes.HasSuffix(piece, []byte("\n")); whole {
				piece = piece[:len(piece)-1]
			}
			if line == nil {
				line = []byte{}
			}
			line = append(line, piece[:min(len(piece), maxNumberLine-len(line))]...)
		}
		if !whole && (len(line) == 0 || !errors.Is(c.err, io.EOF)) {
			return c
		}
		line = bytes.TrimSuffix(line, []byte("\r"))
		if !n.later {
			line = bytes.TrimPrefix(line, []byte("\ufeff"))
			n.later = true
		}
		c.numbers = append(c.numbers, string(line))
	}
	return c
}
