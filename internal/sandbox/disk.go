package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// diskPlace is where a node finds its own disk; see Config.Disk.
const diskPlace = "/data"

func (m *machine) disk() string      { return filepath.Join(m.dir, "disk.img") }
func (m *machine) diskMount() string { return filepath.Join(m.root(), diskPlace) }

// formatDisk makes the node's own disk: a file with holes, that takes up on the host what the node
// has written.
func (m *machine) formatDisk(ctx context.Context) error {
	temp := m.disk() + ".new"
	file, err := os.Create(temp)
	if err != nil {
		return fmt.Errorf("make the disk of %s: %w", m.Name, err)
	}
	if err := errors.Join(file.Truncate(m.box.cfg.Disk), file.Close()); err != nil {
		return fmt.Errorf("make the disk of %s: %w", m.Name, err)
	}
	if _, err := run(ctx, "mkfs.ext4", "-q", "-F", temp); err != nil {
		return fmt.Errorf("format the disk of %s: %w", m.Name, err)
	}
	return os.Rename(temp, m.disk())
}

// mountDisk mounts the node's own disk below its root, from where the node has it.
func (m *machine) mountDisk() error {
	if err := os.MkdirAll(m.diskMount(), 0o755); err != nil {
		return fmt.Errorf("mount the disk of %s: %w", m.Name, err)
	}
	device, err := attachLoop(m.disk())
	if err != nil {
		return fmt.Errorf("mount the disk of %s: %w", m.Name, err)
	}
	// From here on the mount alone keeps the device, and the device goes with it.
	defer device.Close()
	if err := unix.Mount(device.Name(), m.diskMount(), "ext4", 0, ""); err != nil {
		return fmt.Errorf("mount the disk of %s (%s): %w", m.Name, device.Name(), err)
	}
	return nil
}

// attachLoop makes the file a block device, which is gone when nobody uses it any more, also when
// whoever made it dies.
func attachLoop(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	control, err := os.OpenFile("/dev/loop-control", os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("this host has no loop devices: %w", err)
	}
	defer control.Close()
	config := unix.LoopConfig{Fd: uint32(file.Fd()), Info: unix.LoopInfo64{Flags: unix.LO_FLAGS_AUTOCLEAR}}
	copy(config.Info.File_name[:len(config.Info.File_name)-1], path)
	for {
		number, err := unix.IoctlRetInt(int(control.Fd()), unix.LOOP_CTL_GET_FREE)
		if err != nil {
			return nil, fmt.Errorf("find a free loop device: %w", err)
		}
		device, err := openLoop(number)
		if err != nil {
			return nil, err
		}
		err = unix.IoctlLoopConfigure(int(device.Fd()), &config)
		if err == nil {
			return device, nil
		}
		device.Close()
		if !errors.Is(err, unix.EBUSY) { // somebody else may have been faster
			return nil, fmt.Errorf("attach %s to %s: %w", path, device.Name(), err)
		}
	}
}

// loopMajor is the kernel's number of the driver.
const loopMajor = 7

// openLoop makes the device's node where nobody else does, as in a container without udev.
func openLoop(number int) (*os.File, error) {
	path := fmt.Sprintf("/dev/loop%d", number)
	err := unix.Mknod(path, unix.S_IFBLK|0o600, int(unix.Mkdev(loopMajor, uint32(number))))
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("make %s: %w", path, err)
	}
	return os.OpenFile(path, os.O_RDWR, 0)
}
