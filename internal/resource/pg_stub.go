package resource

import (
	"context"
	"errors"
)

var errStub = errors.New("being written")

func (r *PgReady) Diff(context.Context, *Host) (*Change, error)        { return nil, errStub }
func (r *PgReady) Apply(context.Context, *Host) error                  { return errStub }
func (r *PgPrivileges) Diff(context.Context, *Host) (*Change, error)   { return nil, errStub }
func (r *PgPrivileges) Apply(context.Context, *Host) error             { return errStub }
func (r *PgBaseline) Diff(context.Context, *Host) (*Change, error)     { return nil, errStub }
func (r *PgBaseline) Apply(context.Context, *Host) error               { return errStub }
func (r *PatroniConfig) Diff(context.Context, *Host) (*Change, error)  { return nil, errStub }
func (r *PatroniConfig) Apply(context.Context, *Host) error            { return errStub }
func (r *PatroniFile) Diff(context.Context, *Host) (*Change, error)    { return nil, errStub }
func (r *PatroniFile) Apply(context.Context, *Host) error              { return errStub }
func (r *PatroniRestart) Diff(context.Context, *Host) (*Change, error) { return nil, errStub }
func (r *PatroniRestart) Apply(context.Context, *Host) error           { return errStub }
