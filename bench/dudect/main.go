// Command dudect measures whether the time that signing takes depends on secrets, by statistics alone, as dudect does
// (Reparaz, Balasch, Verbauwhede: Dude, is my code constant time?, 2017): it signs with one secret all the time and with a new
// one each time, in random order, and compares the two samples of times with Welch's t test, over all of them and over those
// below many percentiles.
//
//	go run ./bench/dudect                                   every backend that runs here, keys and nonces
//	go run ./bench/dudect -backend ifma -secret key -n 64 -pairs 100000
//	go run ./bench/dudect -secret control -fail             shows that a leak is found, and exits with 1
//
// A line for each backend and secret says the t over all times, the largest t over cropped ones with the percentile, and the
// mean times of an operation, which is a batch of n signatures.
//
//	|t| below 4.5   nothing found, with that many pairs on this machine
//	up to 10        run it again with four times the pairs: what depends on the secret doubles, chance does not
//	above 10        the classes differ; where more pairs make it grow, find out by what
//
// It proves nothing: a leak may be smaller than the machine's noise, and a difference may come from what the classes share
// with no secret, such as where their keys lie in memory. A quiet machine helps more than many pairs.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/encseal/encseal/engine/sign"
)

// Exit codes.
const (
	exitDone     = 0
	exitFound    = 1 // with -fail: a |t| above the threshold, or too few pairs for a t
	exitUsage    = 2
	exitFailed   = 3 // a backend refused
	exitStopped  = 130
	threshold    = 10
	suspicious   = 4.5
	maxPairs     = 10_000_000
	maxBatchSize = 1024
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// options are the command line.
type options struct {
	backends []sign.Backend
	kinds    []kind
	n, pairs int
	limit    time.Duration
	fail     bool
}

const usage = `Usage: go run ./bench/dudect [flags]

Signs with a fixed secret and with random ones, in random order, and prints Welch's t of the
two samples of times: over all (raw), and the largest over the times below some percentile.

Flags:
  -backend NAMES   %s, separated by commas, or all (default all)
  -secret NAMES    separated by commas, or all for key and nonce (default all):
%s  -n COUNT         signatures in a batch; a time is that of a batch (default 8)
  -pairs COUNT     batches of each class (default 20000)
  -limit DURATION  longest measuring of one line; then it judges what it has (default 2m)
  -fail            exit with 1 where some |t| is above %d, or too few pairs were measured
  -h, --help       this

Example:
  $ go run ./bench/dudect -backend portable -secret key,control
  backend   secret     raw t  cropped t  percentile   pairs  fixed ns  random ns
  portable  key         0.57      -1.97        79.7   20000    253268     230768  nothing found
  portable  control    -0.18    1495.60        64.6   20000      4279       4316  differs

How to read it: |t| below 4.5 is nothing found; up to 10, run it again with four times the pairs:
a dependence on the secret doubles its t, chance does not; above 10 the classes differ. It can
show a leak and never that there is none.

Exit codes: 0 done; 1 found, with -fail; 2 usage; 3 it could not be done; 130 stopped by Ctrl-C,
with what was measured until then printed. (go run makes every code but 0 a 1: go build it first.)
`

func printUsage(w io.Writer) {
	var secrets strings.Builder
	for _, k := range kinds {
		fmt.Fprintf(&secrets, "                     %-8s %s\n", k.name, k.what)
	}
	fmt.Fprintf(w, usage, names(sign.Backends()), secrets.String(), threshold)
}

// run is the program; its result is the exit code.
func run(ctx context.Context, args []string, out, words io.Writer) int {
	o, err := parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		printUsage(out)
		return exitDone
	case err != nil:
		fmt.Fprintf(words, "dudect: %v (--help says more)\n", err)
		return exitUsage
	}
	fmt.Fprintln(out, "backend   secret     raw t  cropped t  percentile   pairs  fixed ns  random ns")
	found := false
	for _, backend := range o.backends {
		for _, k := range o.kinds {
			v, err := o.line(ctx, backend, k)
			if err != nil {
				fmt.Fprintf(words, "dudect: %v\n", err)
				return exitFailed
			}
			fmt.Fprintf(out, "%-8s  %-7s  %7.2f  %9.2f  %10.1f  %6d  %8.0f  %9.0f  %s\n", backend, k.name,
				v.raw, v.cropped, v.percentile, v.pairs, v.mean[fixed], v.mean[random], v.text())
			if ctx.Err() != nil {
				fmt.Fprintln(words, "dudect: stopped")
				return exitStopped
			}
			found = found || !v.judged() || v.worst() > threshold
		}
	}
	if found && o.fail {
		return exitFound
	}
	return exitDone
}

// line measures one secret on one backend.
func (o *options) line(ctx context.Context, backend sign.Backend, k kind) (verdict, error) {
	rng := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	s, err := k.make(backend, o.n, rng)
	if err != nil {
		return verdict{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, o.limit)
	defer cancel()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	runtime.GC()
	return judge(measure(ctx, s, o.pairs, monotonic(), rng)), nil
}

// text says in words what v means.
func (v *verdict) text() string {
	switch {
	case !v.judged():
		return "too few pairs to judge"
	case v.worst() > threshold:
		return "differs"
	case v.worst() > suspicious:
		return "run it again with more pairs"
	default:
		return "nothing found"
	}
}

// parse reads the command line.
func parse(args []string) (options, error) {
	var o options
	var backends, secrets string
	flags := flag.NewFlagSet("dudect", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&backends, "backend", "all", "")
	flags.StringVar(&secrets, "secret", "all", "")
	flags.IntVar(&o.n, "n", 8, "")
	flags.IntVar(&o.pairs, "pairs", 20_000, "")
	flags.DurationVar(&o.limit, "limit", 2*time.Minute, "")
	flags.BoolVar(&o.fail, "fail", false, "")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	switch {
	case flags.NArg() > 0:
		return o, fmt.Errorf("%q is no flag", flags.Arg(0))
	case o.n < 1 || o.n > maxBatchSize:
		return o, fmt.Errorf("-n %d is not in 1 to %d", o.n, maxBatchSize)
	case o.pairs < 1 || o.pairs > maxPairs:
		return o, fmt.Errorf("-pairs %d is not in 1 to %d", o.pairs, maxPairs)
	case o.limit <= 0:
		return o, fmt.Errorf("-limit %v is not above 0", o.limit)
	}
	var err error
	if o.backends, err = chosen("-backend", backends, sign.Backends(), sign.Backends()); err != nil {
		return o, err
	}
	o.kinds, err = chosen("-secret", secrets, kinds, kinds[:2])
	return o, err
}

func (k kind) String() string { return k.name }

// chosen returns those of choices that list names, in its order, and all where it says so.
func chosen[T fmt.Stringer](name, list string, choices, all []T) ([]T, error) {
	if list == "all" {
		return all, nil
	}
	var picked []T
	for _, word := range strings.Split(list, ",") {
		i := slices.IndexFunc(choices, func(c T) bool { return c.String() == word })
		if i < 0 {
			return nil, fmt.Errorf("%s: %q is none of %s, all", name, word, names(choices))
		}
		picked = append(picked, choices[i])
	}
	return picked, nil
}

func names[T fmt.Stringer](all []T) string {
	var words []string
	for _, x := range all {
		words = append(words, x.String())
	}
	return strings.Join(words, ", ")
}
