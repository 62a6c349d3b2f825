package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
)

const whatSelect = "select an operator"

func selectCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "select NUMBER... | --file FILE | -",
		Short: "Ask which operator carries a message",
		Long: `Ask which operator connection carries a message to a number (E.164: +, country code, number).

With --file, or - for standard input, each line is one number and gives one answer, in the order of
the lines, however long the file is. A line that is empty or no number gives an answer that is an error.
With -o jsonl each answer is one line of JSON, an error is {"error":{"code","reason","message"}}.`,
		Example: `  trunkline routes select +447911123456
  trunkline routes select +447911123456 --type flash -o json
  trunkline routes select +447911123456 --exclude 01890a5d-ac96-774b-bcce-b302099a8057
  trunkline routes select --file numbers.txt -o jsonl > answers.jsonl
  cut -d, -f2 contacts.csv | trunkline routes select - -o jsonl`,
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	query := addQueryFlags(cmd)
	output := outputFlag(cmd, formTable, formJSON, formJSONL)
	conn := addClientFlags(cmd, callTimeout, "one call")
	file := cmd.Flags().String("file", "", "`FILE` with one number per line")
	cmd.Args = func(_ *cobra.Command, args []string) error {
		switch {
		case *file != "" && len(args) > 0:
			return usagef("give numbers or --file, not both")
		case *file == "" && len(args) == 0:
			return usagef("give a NUMBER, --file FILE, or - to read standard input")
		case len(args) > 1 && contains(args, "-"):
			return usagef("- reads standard input and stands alone")
		case query.messageID != "" && (len(args) != 1 || args[0] == "-"):
			return usagef("--message-id belongs to one message: give one NUMBER")
		}
		return nil
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		base, err := query.request(cmd)
		if err != nil {
			return err
		}
		return conn.withClient(cmd, func(ctx context.Context, c *client) error {
			switch {
			case *file != "":
				return c.selectFile(ctx, cmd, base, *file, output.value)
			case args[0] == "-":
				return c.selectLines(ctx, cmd, base, cmd.InOrStdin(), -1, output.value)
			case len(args) == 1 && output.value != formJSONL:
				return c.selectOne(ctx, cmd.OutOrStdout(), base, args[0], output.value)
			}
			return c.selectMany(ctx, cmd, base, args, output.value)
		})
	}
	return cmd
}

func contains(args []string, word string) bool {
	for _, arg := range args {
		if arg == word {
			return true
		}
	}
	return false
}

// withNumber copies the question for one number.
func withNumber(base *routingv1.SelectOperatorRequest, number string) *routingv1.SelectOperatorRequest {
	return &routingv1.SelectOperatorRequest{
		To: number, AccountId: base.GetAccountId(), MessageType: base.GetMessageType(),
		MessageId: base.GetMessageId(), ExcludeOperatorIds: base.GetExcludeOperatorIds(),
	}
}

func (c *client) selectOne(ctx context.Context, out io.Writer, base *routingv1.SelectOperatorRequest, number, form string) error {
	if bad := numberProblem(number); bad != nil {
		return failureOf(bad)
	}
	callCtx, cancel := c.call(ctx)
	defer cancel()
	answer, err := c.routing.SelectOperator(callCtx, withNumber(base, number))
	if err != nil {
		return c.describe(ctx, whatSelect, err)
	}
	if form == formJSON {
		return writeJSON(out, answer)
	}
	return writeDecision(out, answer)
}

// failureOf turns an answer that is an error into the end of a command.
func failureOf(e *routingv1.Failure) error {
	return failf(codeByName(e.GetCode()), "%s", sentence(whatSelect, e.GetCode(), e.GetReason(), e.GetMessage()))
}

func writeDecision(w io.Writer, d *routingv1.SelectOperatorResponse) error {
	alternates := make([]string, len(d.GetAlternates()))
	for i, a := range d.GetAlternates() {
		alternates[i] = fmt.Sprintf("%s, %s, %s", a.GetOperatorName(), address(a.GetHost(), a.GetPort()), price(a.GetUnitPrice()))
	}
	meta := d.GetMeta()
	state := fmt.Sprintf("configuration %d, rules %d, algorithm %d", meta.GetConfigVersion(), meta.GetRulesVersion(), meta.GetAlgoVersion())
	if meta.GetReleaseId() != "" {
		state = "release " + meta.GetReleaseId() + ", " + state
	}
	if cache := strings.TrimPrefix(meta.GetCache().String(), "CACHE_RESULT_"); cache != "UNSPECIFIED" {
		state += ", cache " + strings.ToLower(cache)
	}
	if meta.GetHealthUnknown() {
		state += ", health of the operator unknown"
	}
	rows := [][2]string{
		{"Operator", d.GetOperatorName()},
		{"Address", address(d.GetHost(), d.GetPort())},
		{"System ID", d.GetSystemId()},
		{"Max TPS", fmt.Sprint(d.GetTpsLimit())},
		{"Strategy", strategyName(d.GetStrategy())},
		{"Prefix", d.GetMatchedPrefix()},
		{"Price", price(d.GetUnitPrice())},
		{"Alternates", "none"},
	}
	for i, a := range alternates {
		if i == 0 {
			rows[len(rows)-1][1] = a
			continue
		}
		rows = append(rows, [2]string{"", a})
	}
	rows = append(rows,
		[2]string{"Operator ID", d.GetOperatorId()},
		[2]string{"Decision", meta.GetDecisionId()},
		[2]string{"State", state},
	)
	var b strings.Builder
	for _, row := range rows {
		fmt.Fprintf(&b, "%-12s %s\n", row[0], clean(row[1]))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// answerWriter writes the answers of many numbers in one of the forms.
type answerWriter struct {
	form  string
	json  *jsonSequence
	table *columns
}

func newAnswerWriter(w io.Writer, form string) *answerWriter {
	return &answerWriter{
		form: form,
		json: &jsonSequence{w: w, array: form == formJSON},
		table: &columns{w: w, head: []string{
			"NUMBER", "OPERATOR", "ADDRESS", "STRATEGY", "PREFIX", "PRICE", "ALTERNATES OR ERROR",
		}},
	}
}

// write writes one answer per number, in order.
func (a *answerWriter) write(numbers []string, results []*routingv1.BatchResult) error {
	if a.form == formTable {
		rows := make([][]string, len(results))
		for i, r := range results {
			rows[i] = answerRow(numbers[i], r)
		}
		return a.table.print(rows)
	}
	for _, r := range results {
		var line proto.Message = r
		if d := r.GetResponse(); d != nil {
			line = d
		}
		if err := a.json.add(line); err != nil {
			return err
		}
	}
	return nil
}

func (a *answerWriter) end() error {
	if a.form == formTable {
		return nil
	}
	return a.json.end()
}

func answerRow(number string, r *routingv1.BatchResult) []string {
	d := r.GetResponse()
	if d == nil {
		return []string{dash(shorten(number)), "-", "-", "-", "-", "-", r.GetError().GetReason() + ": " + r.GetError().GetMessage()}
	}
	names := make([]string, len(d.GetAlternates()))
	for i, alternate := range d.GetAlternates() {
		names[i] = alternate.GetOperatorName()
	}
	return []string{
		number, d.GetOperatorName(), address(d.GetHost(), d.GetPort()), strategyName(d.GetStrategy()),
		d.GetMatchedPrefix(), price(d.GetUnitPrice()), dash(strings.Join(names, ", ")),
	}
}

// shorten keeps what is no number from filling the table.
func shorten(text string) string {
	const most = 20
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return string(runes[:most]) + "…"
}
