package engine_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// powerEnv marks the process that has a mount namespace of its own.
const powerEnv = "ENCSEAL_TEST_POWER"

// ext4Shutdown is EXT4_IOC_SHUTDOWN, and noLogFlush its flag that keeps back what the file system's log has not written.
const (
	ext4Shutdown = 0x8004587d
	noLogFlush   = 2
)

// lacks names what power cuts need and this system does not have; "" for nothing.
func lacks() string {
	if os.Geteuid() != 0 {
		return "root"
	}
	for _, tool := range []string{"mkfs.ext4", "mount", "umount"} {
		if _, err := exec.LookPath(tool); err != nil {
			return tool
		}
	}
	if _, err := os.Stat("/dev/loop-control"); err != nil {
		return "/dev/loop-control"
	}
	return ""
}

// The power of an ext4 file system is cut under load, again and again: what its log and its files had not on the disk is
// gone. It runs with ENCSEAL_SYSTEM=1 alone, as root, in a process with a mount namespace of its own: its mounts and loop
// devices end with it, however it ends.
func TestPowerCut(t *testing.T) {
	if os.Getenv(powerEnv) != "" {
		powerCuts(t)
		return
	}
	lacking := lacks()
	switch {
	case os.Getenv("ENCSEAL_SYSTEM") != "1":
		t.Skipf("ENCSEAL_SYSTEM=1 is not set (lacking besides: %q)", lacking)
	case lacking != "":
		t.Fatalf("ENCSEAL_SYSTEM=1, but there is no %s", lacking)
	}
	runtime.LockOSThread() // dieWithUs is about threads
	defer runtime.UnlockOSThread()
	ctx, cancel := context.WithTimeout(background, 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestPowerCut$", "-test.v", "-test.timeout=4m30s")
	cmd.Env = append(os.Environ(), powerEnv+"=1", fmt.Sprint("ENCSEAL_SEED=", seed(t)))
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	dieWithUs(cmd)
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatal(err)
	}
}

// powerCuts is TestPowerCut inside.
func powerCuts(t *testing.T) {
	deaths := 5
	if long() {
		deaths = 20
	}
	root := t.TempDir()
	disk := &disk{image: filepath.Join(root, "image"), at: filepath.Join(root, "mnt")}
	if err := disk.make(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := disk.umount(); err != nil {
			t.Error(err)
		}
	}()
	for _, dir := range []string{"data", "head"} {
		if err := os.Mkdir(filepath.Join(disk.at, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	syscall.Sync() // both directories are there whatever comes
	l := newLoadRun(t, seed(t), deaths, filepath.Join(disk.at, "data"), filepath.Join(disk.at, "head", "head"))
	l.dieOften(t, deaths, disk.cut, func() error {
		if err := disk.umount(); err != nil {
			return err
		}
		return disk.mount()
	})
	if err := l.check(); err != nil {
		t.Error(err)
	}
}

// disk is an ext4 file system in a file.
type disk struct{ image, at string }

func (d *disk) make() error {
	if err := os.Mkdir(d.at, 0o755); err != nil {
		return err
	}
	f, err := os.Create(d.image)
	if err != nil {
		return err
	}
	if err := f.Truncate(64 << 20); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := command("mkfs.ext4", "-q", "-F", d.image); err != nil {
		return err
	}
	return d.mount()
}

func (d *disk) mount() error  { return command("mount", "-o", "loop", d.image, d.at) }
func (d *disk) umount() error { return command("umount", d.at) }

// cut takes the power away.
func (d *disk) cut() error {
	f, err := os.Open(d.at)
	if err != nil {
		return err
	}
	defer f.Close()
	flags := uint32(noLogFlush)
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), ext4Shutdown, uintptr(unsafe.Pointer(&flags))); errno != 0 {
		return os.NewSyscallError("EXT4_IOC_SHUTDOWN", errno)
	}
	return nil
}

func command(name string, args ...string) error {
	ctx, cancel := context.WithTimeout(background, patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %v: %w: %s", name, args, err, out)
	}
	return nil
}
