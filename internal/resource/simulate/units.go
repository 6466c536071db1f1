package simulate

import (
	"os"
	"path/filepath"
	"strings"
)

// Where units lie, are linked from to boot, and are noted as up.
const (
	unitDir    = "/etc/systemd/system"
	vendorDir  = "/usr/lib/systemd/system"
	wantsDir   = unitDir + "/multi-user.target.wants"
	activeDir  = "/run/simulated/active" // one file per unit that is up, with its settings as loaded
	wantsLinks = unitDir + "/*.wants"
)

// unitText is the text of the unit's file, or of the template it is an instance of, with what
// its drop-ins add.
func (n node) unitText(unit string) (string, bool) {
	path, found := n.unitFile(unit)
	if !found {
		return "", false
	}
	text, err := n.read(path)
	return text + n.dropIns(unit), err == nil
}

// unitFile is the file that counts for the unit, or for the template it is an instance of.
func (n node) unitFile(unit string) (path string, found bool) {
	names := []string{unit}
	if name, instance, ok := strings.Cut(unit, "@"); ok {
		names = append(names, name+"@"+filepath.Ext(instance))
	}
	for _, name := range names {
		for _, dir := range []string{unitDir, vendorDir} {
			if path := filepath.Join(dir, name); n.exists(path) {
				return path, true
			}
		}
	}
	return "", false
}

func (n node) dropIns(unit string) string {
	paths, err := filepath.Glob(n.path(unitDir + "/" + unit + ".d/*.conf"))
	if err != nil {
		return ""
	}
	var texts strings.Builder
	for _, path := range paths {
		// One that cannot be read adds nothing, as with systemd.
		text, _ := os.ReadFile(path)
		texts.Write(text)
	}
	return texts.String()
}

func (n node) enable(unit string) error { return n.link(wantsDir+"/"+unit, vendorDir+"/"+unit) }

func (n node) enabled(unit string) bool {
	links, err := filepath.Glob(n.path(wantsLinks + "/" + unit))
	return err == nil && len(links) > 0
}

func (n node) masked(unit string) bool {
	target, err := os.Readlink(n.path(unitDir + "/" + unit))
	return err == nil && target == "/dev/null"
}
