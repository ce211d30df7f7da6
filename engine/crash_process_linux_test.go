package engine_test

import (
	"os/exec"
	"syscall"
)

// dieWithUs ends a process that is still there when this one, or the thread that started it, has ended.
func dieWithUs(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = new(syscall.SysProcAttr)
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
}
