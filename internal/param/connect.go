package param

// Connect says how the controller reaches a node.
type Connect struct {
	Connection `section:"CONNECT" module:"INFRA"`
}

// Connection is section CONNECT. The ansible_* names are those of Ansible's own inventories and
// mean the same.
type Connection struct {
	AnsibleHost              string            `level:"instance" kind:"host" help:"address to reach the node at, when it is not the inventory's name for it" alone:"host"`
	AnsiblePort              int               `level:"instance" default:"22" kind:"port" help:"SSH port of the node"`
	AnsibleUser              string            `level:"instance" help:"SSH user; empty leaves the choice to the ssh configuration"`
	AnsibleSshPrivateKeyFile string            `level:"instance" kind:"path" help:"private key on the controller for reaching the node"`
	AnsibleSshCommonArgs     string            `level:"instance" help:"further arguments for ssh, such as -o ProxyJump=bastion"`
	AnsibleSshExtraArgs      string            `level:"instance" help:"further arguments for ssh, after ansible_ssh_common_args"`
	AnsibleConnection        string            `level:"instance" default:"ssh" oneof:"ssh smart local" help:"way to reach the node: ssh, or local for the machine that pigsty runs on; smart means ssh"`
	AnsibleBecome            bool              `level:"instance" default:"true" help:"use sudo where the SSH user is not root; false: that user must be root"`
	AnsibleBecomeUser        string            `level:"instance" default:"root" oneof:"root" help:"user to become; only root"`
	AnsibleBecomeMethod      string            `level:"instance" default:"sudo" oneof:"sudo" help:"way to become root; only sudo"`
	AnsibleBecomePassword    string            `level:"instance" secret:"true" help:"password of the SSH user for sudo; empty needs a sudo that asks for none"`
	AnsiblePassword          string            `level:"instance" secret:"true" help:"SSH password; not used, keys are needed instead"`
	AnsibleSshPass           string            `level:"instance" secret:"true" help:"SSH password; not used, keys are needed instead"`
	ProxyEnv                 map[string]string `level:"global" default:"{no_proxy: 'localhost,127.0.0.1,10.0.0.0/8,192.168.0.0/16'}" help:"http_proxy, https_proxy and no_proxy for downloads"`
}
