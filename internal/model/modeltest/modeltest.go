// Package modeltest reads the inventories that modules' golden tests compile. It is for tests only.
package modeltest

import (
	"strings"
	"testing"

	"pigsty/internal/diag"
	"pigsty/internal/fact"
	"pigsty/internal/inventory"
	"pigsty/internal/model"
	"pigsty/internal/param"
	"pigsty/internal/secret"
)

// authority stands for the authority's certificate.
const authority = "-----BEGIN CERTIFICATE-----\nAAECAwQFBgcICQ==\n-----END CERTIFICATE-----\n"

// Sentinel is how a generated secret is told from any other text: it begins with this, and goes on with
// the parameter's name.
const Sentinel = "sentinel-"

// Read gives the deployment of the inventory at path, which has to be without errors: with an authority,
// a seed, and a Sentinel for each secret that the inventory does not give, followed by suffix. No node is
// known yet; see Deployment.Observe.
func Read(t testing.TB, path, suffix string) *model.Deployment {
	t.Helper()
	generated := map[string]string{}
	for _, s := range param.Secrets() {
		generated[s] = Sentinel + s + suffix
	}
	inv, problems := inventory.Load(path, inventory.Options{Generated: generated})
	d, _ := build(t, inv, problems)
	return d
}

// Text is Read of an inventory's text, with its warnings and without generated secrets.
func Text(t testing.TB, text string) (*model.Deployment, diag.List) {
	t.Helper()
	inv, problems := inventory.Parse("pigsty.yml", []byte(text), inventory.Options{})
	return build(t, inv, problems)
}

func build(t testing.TB, inv *inventory.Inventory, problems diag.List) (*model.Deployment, diag.List) {
	t.Helper()
	problems.Add(param.Check(inv)...)
	d, more := model.Build(inv)
	problems.Add(more...)
	if problems.HasErrors() {
		t.Fatal(problems.Err())
	}
	d.CA = authority
	d.Derive = secret.Seed(strings.Repeat("s", 32)).Derive
	return d, problems
}

// Debian13 makes every node known, as a small server that nothing was deployed on.
func Debian13(d *model.Deployment) map[string]fact.Node {
	facts := map[string]fact.Node{}
	for _, n := range d.Nodes {
		facts[n.Addr] = fact.Node{OS: "debian", Release: 13, Codename: "trixie", Arch: "amd64", CPUs: 4, Memory: 8 << 30, Disk: 64 << 30}
	}
	d.Observe(facts)
	return facts
}
