// >>> kjitsi
// Jitsi's login with Keycloak, at the end of /etc/jitsi/meet/<your host>-config.js of the Debian packages.
config.tokenAuthUrl = 'https://auth.example.org/realms/meet/protocol/openid-connect/auth?client_id=jitsi&response_type=code&scope=openid&state={state}&redirect_uri=https%3A%2F%2Fmeet.example.org%2Fstatic%2Fsso.html&code_challenge={code_challenge}&code_challenge_method=S256';
// In a popup, the one way in which static/sso.html works.
config.tokenAuthInline = true;
// What that page needs; tokenService goes without https://, which the page adds.
config.sso = { tokenService: 'auth.example.org/realms/meet/protocol/openid-connect', clientId: 'jitsi' };
config.tokenLogoutUrl = 'https://auth.example.org/realms/meet/protocol/openid-connect/logout?client_id=jitsi&post_logout_redirect_uri=https%3A%2F%2Fmeet.example.org%2Fstatic%2Flogout.html';
// Name and e-mail also of tokens without a context.
config.tokenGetUserInfoOutOfContext = true;
// Where people without a token connect; undefined where there are no guests.
config.hosts.anonymousdomain = undefined;
// <<< kjitsi
