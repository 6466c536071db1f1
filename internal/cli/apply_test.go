package cli

import "testing"

func TestProbe(t *testing.T) {
	s := sandboxSite(t)
	a := s.run("plan", "-t", "node")
	t.Log(a.code, a.err, a.out[max(0,len(a.out)-1500):])
	a = s.run("plan")
	t.Log(a.code, a.err, a.out[max(0,len(a.out)-1500):])
	a = s.run("apply", "-y", "-t", "node")
	t.Log(a.code, a.err, a.out[max(0,len(a.out)-1500):])
	a = s.run("plan", "-t", "node")
	t.Log(a.code, a.err, a.out[max(0,len(a.out)-1500):])
	a = s.run("apply", "-y")
	t.Log(a.code, a.err, a.out[max(0,len(a.out)-2500):])
}
