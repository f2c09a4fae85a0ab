import { parityTests } from "./suite.ts";

parityTests("spots");
