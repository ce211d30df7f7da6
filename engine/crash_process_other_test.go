//go:build !linux

package engine_test

import "os/exec"

// dieWithUs does nothing here.
func dieWithUs(*exec.Cmd) {}
