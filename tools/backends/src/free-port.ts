export { freePort } from '@ballast/testing'
