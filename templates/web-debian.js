// >>> kjitsi
// Jitsi's login with Keycloak, at the end of /etc/jitsi/meet/<your host>-config.js of the Debian packages.
config.tokenAuthUrl = {{AUTH_URL}};
// In a popup, the one way in which static/sso.html works.
config.tokenAuthInline = true;
// What that page needs; tokenService goes without https://, which the page adds.
config.sso = { tokenService: {{TOKEN_SERVICE}}, clientId: {{CLIENT}} };
config.tokenLogoutUrl = {{LOGOUT_URL}};
// Name and e-mail also of tokens without a context.
config.tokenGetUserInfoOutOfContext = true;
// Where people without a token connect; undefined where there are no guests.
config.hosts.anonymousdomain = {{GUEST_DOMAIN}};
// <<< kjitsi
