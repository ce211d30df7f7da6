// Command encseal seals a stream of StepReceipts into signed LogBlocks, shows that a receipt is in one, and checks all of
// it offline, also where a notary keeps it, in its data directory. It wires the packages of this module to files, flags
// and signals, and decides nothing about formats.
//
// Results go to standard output, words to standard error. The exit code says how it ended:
//
//	0    done
//	1    the thing checked is not right, or input was refused
//	2    usage: the command line asks for something that cannot be meant
//	3    it could not be done: a file that cannot be read or written, no space
//	129  stopped by SIGHUP, after sealing what was read
//	130  stopped by SIGINT, after sealing what was read
//	143  stopped by SIGTERM, after sealing what was read
package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"reflect"
	"strings"
	"sync"
	"syscall"

	"github.com/alecthomas/kong"
	"golang.org/x/term"
)

type cli struct {
	Keygen   keygenCmd   `cmd:"" help:"Make a notary key."`
	Pubkey   pubkeyCmd   `cmd:"" help:"Print the public half of a key file."`
	Seal     sealCmd     `cmd:"" help:"Seal receipts into signed LogBlocks."`
	Verify   verifyCmd   `cmd:"" help:"Check LogBlocks, and the receipts they seal, against a notary's key."`
	Adopt    adoptCmd    `cmd:"" help:"Bring an old copy of a data directory up to date with LogBlocks."`
	Fsck     fsckCmd     `cmd:"" help:"Check a data directory, to the last byte."`
	Export   exportCmd   `cmd:"" help:"Write LogBlocks and receipts of a data directory to files."`
	Prove    proveCmd    `cmd:"" help:"Print the proof that one receipt is in a LogBlock."`
	Check    checkCmd    `cmd:"" help:"Check a proof, or evidence against a notary, offline."`
	Evidence evidenceCmd `cmd:"" help:"Find LogBlocks by which a notary contradicts itself."`
	Encode   encodeCmd   `cmd:"" help:"Print the canonical encoding of receipts, or their leaf hashes."`
	Version  versionCmd  `cmd:"" help:"Print the version and the schemes that it knows."`
}

const description = `Seal StepReceipts into signed LogBlocks; prove and check offline that a receipt is in one.

Exit codes: 0 done; 1 the thing checked is not right, or input was refused; 2 usage; 3 it could not be done; 129, 130
and 143 stopped by SIGHUP, SIGINT and SIGTERM.`

// console is where a command reads and writes.
type console struct {
	in  *os.File
	out *os.File // results
	err *words
}

// words is standard error, or the progress line's way to it. Any goroutine may write.
type words struct {
	mu sync.Mutex
	io.Writer
}

func (w *words) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.Writer.Write(p)
}

// through lets words go by way of next from now on, and returns the way they went before.
func (w *words) through(next io.Writer) io.Writer {
	w.mu.Lock()
	defer w.mu.Unlock()
	last := w.Writer
	w.Writer = next
	return last
}

// say writes one line of words. What cannot be said is not worth failing for.
func (c *console) say(format string, args ...any) {
	fmt.Fprintf(c.err, "encseal: "+format+"\n", args...)
}

// print writes a result whole.
func (c *console) print(text string) error {
	_, err := io.WriteString(c.out, text)
	return err
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

func main() {
	os.Exit(run(os.Args[1:], &console{in: os.Stdin, out: os.Stdout, err: &words{Writer: os.Stderr}}))
}

func run(args []string, con *console) int {
	// With SIGPIPE ignored, writing to a closed pipe is an error like any other instead of the end of the process.
	signal.Ignore(syscall.SIGPIPE)

	var grammar cli
	parser, err := kong.New(&grammar, kong.Name("encseal"), kong.Description(description), kong.Bind(con),
		kong.KindMapper(reflect.String, kong.MapperFunc(decodeText)), kong.Writers(con.out, con.err),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}))
	if err != nil {
		panic(err) // the grammar above is wrong
	}
	command, err := parser.Parse(args)
	if err != nil {
		return report(con, selected(command, err), asUsage(err))
	}
	return report(con, command.Selected(), command.Run())
}

// selected is the command that a failed parse had reached, nil when there is none.
func selected(command *kong.Context, err error) *kong.Node {
	var parse *kong.ParseError
	if command == nil && errors.As(err, &parse) {
		command = parse.Context
	}
	if command == nil {
		return nil
	}
	return command.Selected()
}

// asUsage makes a parser's error one of usage, unless it is that help could not be written.
func asUsage(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return err
	}
	if empty, ok := errors.AsType[*emptyError](err); ok {
		err = empty
	}
	return usage("%w", err)
}

// report says why a command ended and returns its exit code.
func report(con *console, node *kong.Node, err error) int {
	if err == nil {
		return exitDone
	}
	name := "encseal"
	if node != nil {
		name = "encseal " + node.Name
	}
	code := exitFailed
	var end *exitError
	if errors.As(err, &end) {
		code = end.code
	}
	if text := err.Error(); text != "" {
		fmt.Fprintf(con.err, "%s: %s\n", name, strings.TrimSuffix(text, "\n"))
	}
	if code == exitUsage {
		fmt.Fprintf(con.err, "Run \"%s --help\" for how it is used.\n", name)
	}
	return code
}
