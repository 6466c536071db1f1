package node

import (
	"pigsty/internal/pki"
	"pigsty/internal/resource"
)

// trust puts the authority's certificate where our services look for it, and into the system's
// store for everybody else.
func (b *builder) trust() {
	b.add(&resource.File{Path: pki.CAPath, Content: b.d.CA})
	b.on("trust")
	b.add(&resource.TrustStore{Certificate: "pigsty-ca", PEM: b.d.CA})
	b.on("")
}

// storage makes the directory below which services keep their data.
func (b *builder) storage() {
	b.add(&resource.Directory{Path: b.n.Param.NodeDataDir})
}
