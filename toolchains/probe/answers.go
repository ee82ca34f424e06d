package probe

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/rexwrap/rexwrap/toolchains"
)

// answersFormat is raised when the meaning of remembered answers changes.
const answersFormat = "toolchains/probe/answers/1"

// answers are a class's known answers by question. A question that the compiler
// gave no number for is remembered as null.
type answers struct {
	mu     sync.Mutex
	values map[string]*int64
}

// Answers returns the values that the preprocessor gives to questions, in c's class
// of flags: "__has_builtin(__builtin_trap)", "__has_cpp_attribute(nodiscard)",
// "__is_target_os(linux)", "defined(__has_feature)". A question without an answer
// is missing from the result: the compiler does not know that operator, or
// complains about its argument, or it is of no form that is asked here.
// __has_include and __has_embed are not: they depend on the file. Any number of
// questions costs one process at most.
//
// The result depends on nothing that FactsKey does not name.
func (p *Prober) Answers(ctx context.Context, c *toolchains.Compile, questions []string) (map[string]int64, error) {
	cl := p.ignored.classOf(c)
	of := p.answersOf(cl)
	open := of.unanswered(questions)
	if len(open) > 0 {
		key := "answers " + string(cl.key.Hash[:]) + strings.Join(open, "\n")
		fresh, err := share(ctx, &p.flight, key, func(ctx context.Context) (map[string]*int64, error) {
			return p.askAll(ctx, cl, open)
		})
		if err != nil {
			return nil, err
		}
		of.add(fresh)
		if !cl.here {
			p.memory.Store(memoryKey(answersFormat, cl), of.encode())
		}
	}
	return of.pick(questions), nil
}

func (p *Prober) answersOf(cl *class) *answers {
	p.mu.Lock()
	of, ok := p.answers[cl.key]
	p.mu.Unlock()
	if ok {
		return of
	}
	of = &answers{values: map[string]*int64{}}
	if value, ok := p.memory.Load(memoryKey(answersFormat, cl)); ok && !cl.here {
		of.decode(value)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if first, ok := p.answers[cl.key]; ok {
		return first
	}
	if len(p.answers) >= maxClasses {
		clear(p.answers)
	}
	p.answers[cl.key] = of
	return of
}

func (a *answers) decode(value []byte) {
	values := map[string]*int64{}
	if json.Unmarshal(value, &values) == nil {
		a.add(values)
	}
}

func (a *answers) encode() []byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	value, err := json.Marshal(a.values)
	if err != nil {
		return nil // a map of numbers: cannot fail
	}
	return value
}

func (a *answers) add(fresh map[string]*int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	maps.Copy(a.values, fresh)
}

// unanswered returns the questions to ask, sorted, each once.
func (a *answers) unanswered(questions []string) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var open []string
	for _, q := range questions {
		if _, known := a.values[q]; !known && isQuestion(q) {
			open = append(open, q)
		}
	}
	slices.Sort(open)
	return slices.Compact(open)
}

func (a *answers) pick(questions []string) map[string]int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	picked := make(map[string]int64, len(questions))
	for _, q := range questions {
		if value := a.values[q]; value != nil {
			picked[q] = *value
		}
	}
	return picked
}

// isQuestion admits what stands on one line, with its one pair of outer
// parentheses balanced, and asks nothing about files:
//
//	question = ( "__has_" | "__is_" ) word "(" argument ")" | "defined(" word ")"
func isQuestion(q string) bool {
	operator, rest, ok := strings.Cut(q, "(")
	if !ok || len(q) > 1000 || strings.ContainsAny(q, "\n\r\\\x00#") || !strings.HasSuffix(q, ")") {
		return false
	}
	operator = strings.TrimSpace(operator)
	if strings.HasPrefix(operator, "__has_include") || strings.HasPrefix(operator, "__has_embed") {
		return false
	}
	asks := strings.HasPrefix(operator, "__has_") || strings.HasPrefix(operator, "__is_")
	if !isWord(operator) || !asks && operator != "defined" {
		return false
	}
	argument := rest[:len(rest)-1]
	return isPlain(argument) && (asks || isWord(argument))
}

func isWord(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
}

// isPlain admits words, scopes and strings: "gnu::unused", `"-Wall"`, "omp::x(y)" not.
func isPlain(s string) bool {
	quotes := strings.Count(s, `"`)
	return (quotes == 0 || quotes == 2) && !strings.ContainsAny(s, "()'") && !strings.Contains(s, "//") && !strings.Contains(s, "/*")
}

// answerMark stands before each answer in the output.
const answerMark = "rexwrap_answer"

// askAll has the preprocessor answer all questions in one run, each on a line of
// its own, so that a complaint names the question by its line.
func (p *Prober) askAll(ctx context.Context, cl *class, questions []string) (map[string]*int64, error) {
	result, err := p.run(ctx, cl.command(questionText(questions), cl.expansion()...))
	if err != nil {
		return nil, fmt.Errorf("ask %d questions: %w", len(questions), err)
	}
	fresh := make(map[string]*int64, len(questions))
	for _, q := range questions {
		fresh[q] = nil
	}
	ended := false
	for line := range strings.Lines(string(result.Stdout)) {
		fields := strings.Fields(line)
		if len(fields) < 2 || fields[0] != answerMark {
			continue
		}
		if fields[1] == "end" {
			ended = true
		} else if i, err := strconv.Atoi(fields[1]); err == nil && i < len(questions) && len(fields) == 3 {
			fresh[questions[i]] = number(fields[2])
		}
	}
	if !ended {
		return nil, fmt.Errorf("ask %d questions: %w: %s", len(questions), ErrRefused, firstError(result.Stderr))
	}
	for _, i := range complaints(result.Stderr) {
		if i < len(questions) {
			fresh[questions[i]] = nil
		}
	}
	return fresh, nil
}

// linesPerQuestion is how many lines of questionText each question takes.
const linesPerQuestion = 5

func questionText(questions []string) []byte {
	var b strings.Builder
	for i, q := range questions {
		if strings.HasPrefix(q, "defined") {
			fmt.Fprintf(&b, "#if %s\n%s %d 1\n#else\n%s %d 0\n#endif\n", q, answerMark, i, answerMark, i)
		} else {
			fmt.Fprintf(&b, "%s %d %s\n\n\n\n\n", answerMark, i, q)
		}
	}
	b.WriteString(answerMark + " end\n")
	return []byte(b.String())
}

// complaints are the questions that the messages are about: "<stdin>:LINE:", or
// "<stdin>(LINE,".
func complaints(stderr []byte) []int {
	var about []int
	for line := range strings.Lines(string(stderr)) {
		rest, ok := strings.CutPrefix(line, "<stdin>")
		if !ok || len(rest) < 2 || rest[0] != ':' && rest[0] != '(' {
			continue
		}
		text := rest[1:]
		if i := strings.IndexAny(text, ":,"); i >= 0 {
			text = text[:i]
		}
		if n, err := strconv.Atoi(text); err == nil && n > 0 && strings.Contains(line, "error:") {
			about = append(about, (n-1)/linesPerQuestion)
		}
	}
	return about
}

// number reads a preprocessor's integer, nil for anything else.
func number(s string) *int64 {
	n, err := strconv.ParseInt(strings.TrimRight(s, "uUlL"), 0, 64)
	if err != nil {
		return nil
	}
	return &n
}
