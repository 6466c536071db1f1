package resource

import (
	"context"
	"errors"
)

var errStub = errors.New("being written")

func (r *PatroniConfig) Diff(context.Context, *Host) (*Change, error)  { return nil, errStub }
func (r *PatroniConfig) Apply(context.Context, *Host) error            { return errStub }
func (r *PatroniFile) Diff(context.Context, *Host) (*Change, error)    { return nil, errStub }
func (r *PatroniFile) Apply(context.Context, *Host) error              { return errStub }
func (r *PatroniRestart) Diff(context.Context, *Host) (*Change, error) { return nil, errStub }
func (r *PatroniRestart) Apply(context.Context, *Host) error           { return errStub }
