//go:build race

package journal_test

// stride thins out tests of each byte under the race detector, which makes them ten times as long.
const stride = 7
