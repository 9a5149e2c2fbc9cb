/* Options of Dropbear for the boards: one host key, users' keys only, a shell and
 * nothing to tunnel. What is not here is Dropbear's own default (default_options.h of
 * its source). */
#define DROPBEAR_SVR_PASSWORD_AUTH 0
#define DROPBEAR_SVR_LOCALTCPFWD 0
#define DROPBEAR_SVR_REMOTETCPFWD 0
#define DROPBEAR_SVR_LOCALSTREAMFWD 0
#define DROPBEAR_SVR_AGENTFWD 0
#define DROPBEAR_SFTPSERVER 0
#define INETD_MODE 0
#define DO_MOTD 0
#define MAX_UNAUTH_PER_IP 3
#define MAX_UNAUTH_CLIENTS 8
#define DEFAULT_PATH "/bin:/sbin"
#define DEFAULT_ROOT_PATH "/bin:/sbin"
