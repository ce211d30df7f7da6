package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/encseal/encseal/engine/sign"
)

// The fixed class signs the same again and again, the random one never twice the same.
func TestSubjects(t *testing.T) {
	const n = 3
	for _, backend := range sign.Backends() {
		for _, k := range kinds[:2] {
			s, err := k.make(backend, n, newRand(5))
			if err != nil {
				t.Fatal(err)
			}
			var seen [2]map[string]bool
			for class := range seen {
				seen[class] = map[string]bool{}
				for i := range 20 {
					s.do(class, i)
					seen[class][fmt.Sprintf("%x", s.sigs)] = true
				}
			}
			if len(s.sigs) != n || len(seen[fixed]) != 1 || len(seen[random]) != 20 {
				t.Errorf("%s, %s: got %d signatures, %d and %d different batches, want %d, 1 and 20",
					backend, k, len(s.sigs), len(seen[fixed]), len(seen[random]), n)
			}
		}
	}
}

func TestRun(t *testing.T) {
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	for _, c := range []struct {
		ctx        context.Context
		args       string
		code       int
		out, words string // parts of standard output and standard error
	}{
		{nil, "-backend stdlib -secret key -n 2 -pairs 10", exitDone, "stdlib    key  ", ""},
		{nil, "-backend stdlib,portable -secret nonce,control -n 1 -pairs 3", exitDone, "portable  control", ""},
		{nil, "-backend stdlib -n 1 -pairs 3", exitDone, "stdlib    nonce", ""},
		{nil, "-backend stdlib -secret key -n 1 -pairs 3 -fail", exitFound, "too few pairs", ""},
		{nil, "-backend stdlib -secret key -pairs 1000000 -limit 1ns", exitDone, "too few pairs", ""},
		{canceled, "-backend stdlib -pairs 1000000", exitStopped, "too few pairs", "dudect: stopped"},
		{nil, "--help", exitDone, "How to read it", ""},
		{nil, "-h", exitDone, "Example:\n", ""},
		{nil, "-n 0", exitUsage, "", "-n 0"},
		{nil, "-n 1025", exitUsage, "", "-n 1025"},
		{nil, "-pairs 0", exitUsage, "", "-pairs 0"},
		{nil, "-pairs 10000001", exitUsage, "", "-pairs 10000001"},
		{nil, "-limit -1s", exitUsage, "", "-limit -1s"},
		{nil, "-backend sse", exitUsage, "", `"sse" is none of`},
		{nil, "-secret prefix", exitUsage, "", `"prefix" is none of key, nonce, control`},
		{nil, "-what", exitUsage, "", "-what"},
		{nil, "ifma", exitUsage, "", `"ifma" is no flag`},
	} {
		ctx := c.ctx
		if ctx == nil {
			ctx = context.Background()
		}
		var out, words bytes.Buffer
		code := run(ctx, strings.Fields(c.args), &out, &words)
		if code != c.code || !strings.Contains(out.String(), c.out) || !strings.Contains(words.String(), c.words) || (words.Len() > 0) != (c.words != "") {
			t.Errorf("%s: got code %d, output %q, words %q; want %d, %q, %q", c.args, code, &out, &words, c.code, c.out, c.words)
		}
	}
}

func TestHelpNamesEverything(t *testing.T) {
	var out bytes.Buffer
	printUsage(&out)
	for _, b := range sign.Backends() {
		if !strings.Contains(out.String(), b.String()) {
			t.Errorf("no word of backend %s", b)
		}
	}
	for _, k := range kinds {
		if !strings.Contains(out.String(), k.what) {
			t.Errorf("no word of secret %s", k)
		}
	}
}
