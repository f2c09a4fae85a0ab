import { parityTests } from "./suite.ts";

parityTests("philox");
