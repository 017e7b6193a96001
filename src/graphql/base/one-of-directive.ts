/**
 * graphql-js has this directive built in and does not print it. Tools that know an older edition of the specification,
 * such as Apollo's composition, refuse a schema that uses a directive without defining it.
 */
export const ONE_OF =
  '"""Exactly one field must be given, and it must not be null."""\ndirective @oneOf on INPUT_OBJECT'
