package resource

import (
	"fmt"
	"io/fs"
	"syscall"
)

// diskUse is the bytes that a file takes on the disk: less than its length where it has holes.
func diskUse(info fs.FileInfo) int64 {
	const block = 512 // of stat(2), whatever the file system's own is
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return s.Blocks * block
	}
	return info.Size()
}

// SizeText writes a number of bytes for people, such as "1.2 GiB".
func SizeText(bytes int64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	value, k := float64(bytes), 0
	for value >= 1024 && k < len(units)-1 {
		value /= 1024
		k++
	}
	if k == 0 {
		return fmt.Sprintf("%d B", bytes)
	}
	return fmt.Sprintf("%.1f %s", value, units[k])
}
