package toolchains

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/rexwrap/rexwrap/client/digest"
)

// IsNative reports whether the word of an argument list stands for whatever this
// machine's processor offers.
func IsNative(word string) bool {
	for _, option := range []string{"-march=", "-mtune=", "-mcpu="} {
		if value, ok := strings.CutPrefix(word, option); ok && value == "native" {
			return true
		}
	}
	return false
}

var errNoCC1 = errors.New("no command line of a compiler proper")

// Native returns what tc makes of -march=native, -mtune=native and -mcpu=native
// among args on this machine: the machine options of the command line that it
// would start its compiler proper with. It belongs in the key of a compile for
// which IsNative holds of some argument. One process for each toolchain and set of
// machine options, remembered for this kind of processor.
func (r *Resolver) Native(ctx context.Context, tc *Toolchain, args []string) (string, error) {
	machine := machineArgs(args)
	processor, lasting := Processor()
	b := digest.NewBuilder("toolchains/native/1")
	b.Digest(tc.Digest)
	b.Strings(machine)
	b.Digest(processor)
	key := b.Sum()
	if value, ok := r.recallNative(key, lasting); ok {
		return value, nil
	}
	argv := slices.Concat([]string{tc.Program}, machine, []string{"-###", "-E", "-x", "c", "-"})
	result, err := r.run(ctx, Command{Argv: argv, Env: []string{"LC_ALL=C", "PATH=" + defaultPath}})
	if err != nil {
		return "", fmt.Errorf("ask %s for its native machine: %w", tc.Program, err)
	}
	options, ok := nativeOptions(string(result.Stderr))
	if !ok || result.Status != 0 {
		return "", fmt.Errorf("ask %s for its native machine: %w", tc.Program, errNoCC1)
	}
	r.rememberNative(key, options, lasting)
	return options, nil
}

func (r *Resolver) recallNative(key digest.Digest, lasting bool) (string, bool) {
	r.mu.RLock()
	value, ok := r.natives[key]
	r.mu.RUnlock()
	if ok || !lasting {
		return value, ok
	}
	text, ok := r.memory.Load(key)
	return string(text), ok && len(text) > 0
}

func (r *Resolver) rememberNative(key digest.Digest, options string, lasting bool) {
	r.mu.Lock()
	r.natives[key] = options
	r.mu.Unlock()
	if lasting {
		r.memory.Store(key, []byte(options))
	}
}

// machineArgs picks the arguments that choose a machine.
func machineArgs(args []string) []string {
	var machine []string
	for i := 0; i < len(args); i++ {
		switch word := args[i]; {
		case (word == "-target" || word == "--target" || word == "-arch") && i+1 < len(args):
			machine = append(machine, word, args[i+1])
			i++
		case word == "-mllvm":
			i++
		case strings.HasPrefix(word, "-m"), strings.HasPrefix(word, "--target="):
			machine = append(machine, word)
		}
	}
	return machine
}

// nativeOptions reads the line that starts the compiler proper and keeps what says
// something of the machine.
func nativeOptions(text string) (string, bool) {
	for line := range strings.Lines(text) {
		words := commandWords(line)
		if !strings.HasPrefix(line, " ") || len(words) == 0 || !startsCC1(words) {
			continue
		}
		var options []string
		for i := 1; i < len(words); i++ {
			switch words[i] {
			case "--param", "-target-cpu", "-tune-cpu", "-target-feature", "-target-abi":
				if i++; i < len(words) {
					options = append(options, words[i-1], words[i])
				}
			default:
				if strings.HasPrefix(words[i], "-m") {
					options = append(options, words[i])
				}
			}
		}
		return strings.Join(options, " "), true
	}
	return "", false
}

func startsCC1(words []string) bool {
	return strings.HasSuffix(words[0], "cc1") || strings.HasSuffix(words[0], "cc1.exe") ||
		len(words) > 1 && words[1] == "-cc1"
}

// commandWords splits a line of -###: words apart by blanks, in double quotes where
// the compiler found it useful.
func commandWords(line string) []string {
	var words []string
	var word strings.Builder
	quoted, any := false, false
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case c == '"':
			quoted, any = !quoted, true
		case c == '\\' && i+1 < len(line):
			i++
			word.WriteByte(line[i])
		case !quoted && (c == ' ' || c == '\n' || c == '\r'):
			if any {
				words = append(words, word.String())
			}
			word.Reset()
			any = false
		default:
			word.WriteByte(c)
			any = true
		}
	}
	if any {
		words = append(words, word.String())
	}
	return words
}

// Processor names the kind of this machine's processors, and says whether it
// could be found out; answers that do not name it are not kept for another day.
func Processor() (digest.Digest, bool) {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return digest.Digest{}, false
	}
	var lines []string
	for line := range strings.Lines(string(text)) {
		name, _, _ := strings.Cut(line, ":")
		switch strings.TrimSpace(name) {
		case "", "processor", "physical id", "siblings", "core id", "cpu cores", "apicid", "initial apicid",
			"cpu MHz", "bogomips", "BogoMIPS", "microcode", "power management", "bugs":
		default:
			lines = append(lines, line)
		}
	}
	slices.Sort(lines)
	b := digest.NewBuilder("toolchains/processor/1")
	b.Strings(slices.Compact(lines))
	return b.Sum(), len(lines) > 0
}
