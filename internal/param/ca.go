package param

// Ca says where the certificate authority is kept and how it comes to be.
type Ca struct {
	CaFiles `section:"CA" module:"INFRA"`
}

// CaFiles is section CA.
type CaFiles struct {
	CaMethod  string `level:"global" default:"create" oneof:"create copy recreate" help:"create a CA when there is none, require an existing one (copy), or replace it (recreate)"`
	CaSubject string `level:"global" default:"/CN=root-ca" help:"subject of the CA's own certificate"`
	CaHomedir string `level:"global" default:"/ca" kind:"path" help:"directory of the CA's certificate on infrastructure nodes"`
	CaCert    string `level:"global" default:"ca.crt" kind:"file" help:"file name of the CA's certificate"`
	CaKey     string `level:"global" default:"ca.key" kind:"file" help:"file name of the CA's private key"`
}
