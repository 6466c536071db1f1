# pigsty: etcdctl for root. As a user with rights: e --user root get --prefix /pg/
export ETCDCTL_API=3
export ETCDCTL_ENDPOINTS={{join .Endpoints ","}}
export ETCDCTL_CACERT={{.CA}}
export ETCDCTL_CERT={{.Cert}}
export ETCDCTL_KEY={{.Key}}
alias e=etcdctl
