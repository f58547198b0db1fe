// >>> kjitsi
// Jitsi's login with Keycloak, for ${CONFIG}/web/custom-config.js of docker-jitsi-meet, which stands at the end of
// config.js. Beside it, .env has TOKEN_AUTH_URL, which gen-env writes with --login.
// In a popup, the one way in which static/sso.html works.
config.tokenAuthInline = true;
// What that page needs; tokenService goes without https://, which the page adds.
config.sso = { tokenService: 'auth.example.org/realms/meet/protocol/openid-connect', clientId: 'jitsi' };
config.tokenLogoutUrl = 'https://auth.example.org/realms/meet/protocol/openid-connect/logout?client_id=jitsi&post_logout_redirect_uri=https%3A%2F%2Fmeet.example.org%2Fstatic%2Flogout.html';
// Name and e-mail also of tokens without a context.
config.tokenGetUserInfoOutOfContext = true;
// <<< kjitsi
