package infra

import (
	"pigsty/internal/aptrepo"
	"pigsty/internal/model"
	"pigsty/internal/resource"
	"pigsty/internal/resource/repository"
)

// UnpackRepo lists what adds the packages of a bundle to the local repository, on each of its hosts.
func UnpackRepo(d *model.Deployment, bundle *aptrepo.Bundle) []resource.Step {
	supplies := map[string]resource.Supply{}
	for _, p := range bundle.Manifest.Packages {
		supplies[p.File] = resource.Supply{Path: bundle.Path, Offset: bundle.Offsets[p.File], Size: p.Size}
	}
	r := d.Repository
	var steps []resource.Step
	for _, n := range r.Hosts {
		steps = append(steps, repoStep(n, &repository.Unpacked{
			Path: r.Dir, Label: r.Name, Key: d.RepositoryKey, Bundle: bundle.Manifest,
		}, supplies))
	}
	return steps
}
